//! Looks on the host for the processes that the portfolio wants.

use std::sync::Arc;

use crate::cri::{Client, PidResolver, Proof, Proofs, Wanted};
use crate::host::Refusal;
use crate::model::{Details, IdMap};
use crate::portfolio::{Found, Lookup};

/// Those that proofs made before have answered already, and the rest. A name of an image is not looked for before the lists are
/// there.
pub fn answered_by(proofs: Vec<Proof>, lookups: Vec<Lookup>) -> (Vec<Found>, Vec<Lookup>) {
    let mut known: IdMap<Details> =
        proofs.into_iter().filter_map(|(wanted, found)| Some((wanted.id, found.ok()?))).collect();
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for lookup in lookups {
        match known.remove(&lookup.id).filter(|_| !lookup.image_name) {
            Some(details) => found.push((lookup, Ok(details))),
            None => open.push(lookup),
        }
    }
    (found, open)
}

/// Looks for these processes, and tells each part of what it finds: others on this thread get their turn in between.
pub async fn look_for(lookups: Vec<Lookup>, client: Client, pids: Arc<PidResolver>, tell: impl Fn(Vec<Found>)) {
    let wanted = |lookup: &Lookup| Wanted { id: lookup.id.clone(), image_name: lookup.image_name };
    let wanted = lookups.iter().map(wanted).collect();
    let mut open: IdMap<Lookup> = lookups.into_iter().map(|lookup| (lookup.id.clone(), lookup)).collect();
    let Some(folders) = pids.folders(&client).await else {
        return tell(open.into_values().map(|lookup| (lookup, Err(Refusal::NoFile))).collect());
    };
    let mut proofs = Proofs::begin(pids, folders, wanted);
    while let Some(found) = proofs.next().await {
        let answer = |(wanted, found): Proof| open.remove(&wanted.id).map(|lookup| (lookup, found));
        tell(found.into_iter().filter_map(answer).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_proven_before_is_not_looked_for_again() {
        let lookup = |id: &str, image_name| Lookup { id: id.into(), asked: 3, image_name };
        let proof = |id: &str, found| (Wanted { id: id.into(), image_name: false }, found);
        let details = Details { pid: Some(7), ..Details::default() };
        let proofs = vec![
            proof("proven", Ok(details.clone())),
            proof("nameless", Ok(details.clone())),
            proof("refused", Err(Refusal::NoFile)),
            proof("unlisted", Ok(details.clone())),
        ];
        let lookups = ["proven", "refused", "new"].map(|id| lookup(id, false));
        let (found, open) = answered_by(proofs, [&lookups[..], &[lookup("nameless", true)]].concat());
        assert_eq!(found, [(lookup("proven", false), Ok(details))]);
        assert_eq!(open, [lookup("refused", false), lookup("new", false), lookup("nameless", true)]);
    }
}
