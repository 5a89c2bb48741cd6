//! whois: the simulated engine's containers are real processes.

use std::process::Command;

use serde_json::Value;

use crate::sim::Sim;
use crate::support::*;

fn app(sim: &Sim) -> Value {
    documents(&on(sim, &["inspect", "app"]).well())[0]["container"].clone()
}

#[test]
fn a_process_a_cgroup_and_a_path() {
    let (sim, _) = node();
    let app = app(&sim);
    let (id, pid) = (app["id"].as_str().unwrap(), app["pid"].to_string());
    let mut asked = vec![
        (pid.clone(), "pid"),
        (format!("/kubepods/pod1/{id}/init.scope"), "cgroupPath"),
        (format!("0::/k8s.io/{id}"), "cgroupPath"),
    ];
    asked.extend(app["cgroupId"].as_u64().filter(|id| *id > 1 << 22).map(|id| (id.to_string(), "cgroupId")));
    for (asked, by) in asked {
        let document = &documents(&on(&sim, &["whois", "-o", "json", &asked]).well())[0];
        assert_eq!((document["asked"].as_str(), document["by"].as_str()), (Some(&*asked), Some(by)));
        assert_eq!((document["owner"].as_str(), document["container"]["id"].as_str()), (Some("container"), Some(id)));
        let members = document["processes"].as_array().unwrap();
        assert!(members.iter().any(|one| one["pid"] == app["pid"]), "{document}");
    }
    let printed = on(&sim, &["whois", &pid]).well();
    for line in
        ["Container app\n", "Pod       shop/web\n", "Found by  its first process\n", &format!("Processes {pid} ")]
    {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    let pod = format!("/kubepods/pod{}", app["pod"]["uid"].as_str().unwrap());
    assert!(on(&sim, &["whois", &pod]).well().starts_with("Sandbox   web\n"));
}

#[test]
fn what_is_no_containers_is_reported_and_ends_with_1() {
    let (sim, _) = node();
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let (own, gone) = (std::process::id().to_string(), child.id().to_string());
    let nobody = format!("/k8s.io/{}", "ab".repeat(32));
    for (asked, owner, why) in [
        (&*own, "host", "belongs to the host"),
        ("/system.slice/sshd.service", "host", "belongs to the host"),
        ("uts:[4026531838]", "host", "belongs to the host"),
        (&nobody, "notYet", "this engine does not have"),
        (&gone, "unknown", "no process with this pid"),
        ("mnt:[7]", "unknown", "no running container"),
    ] {
        let ran = on(&sim, &["whois", "-o", "json", asked]);
        let document = &documents(&ran.out)[0];
        assert_eq!((document["owner"].as_str(), document.get("container")), (Some(owner), None), "{asked}");
        assert!(document["how"].as_str().unwrap().contains(why), "{document}");
        let said = on(&sim, &["whois", asked]).complaint(1);
        assert!(said.starts_with(&format!("{asked}: ")) && said.contains(why), "{said}");
    }
    // Of several, what is found is printed, and the rest told.
    let pid = app(&sim)["pid"].to_string();
    let ran = on(&sim, &["whois", "-o", "json", &pid, "/"]);
    let owners: Vec<String> = documents(&ran.out).iter().map(|one| one["owner"].as_str().unwrap().to_owned()).collect();
    assert_eq!((ran.code, owners), (1, vec!["container".to_owned(), "host".to_owned()]));
}

#[test]
fn what_cannot_be_asked() {
    let (sim, _) = node();
    for asked in ["", "web", "-7", "0", "net:[x]", "disk:[7]", "net:7", "18446744073709551616", "12 "] {
        run(&["-r", sim.endpoint(), "whois", "--", asked]).complaint(2);
    }
}
