//! Which engine is the best one, on nodes as they are found in the field.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use criwatch::watcher::engines;
use libtest_mimic::Completion;
use serde_json::Value;

use crate::node::*;
use crate::support::schema;
use crate::support::wait::PATIENCE;

/// The kubelet's configuration names an engine through an absolute link; others have pods, too, are mute or no engines.
pub fn kubeadm() -> Outcome {
    let root = Root::new()?;
    root.process(812, &["/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml", "--v=2"])?;
    root.file(
        "/var/lib/kubelet/config.yaml",
        "apiVersion: kubelet.config.k8s.io/v1beta1\ncontainerRuntimeEndpoint: \"unix:///var/run/crio/crio.sock\"\n",
    )?;
    let mut ours = root.sim(CRIO, &["--profile", "crio"])?;
    ours.tell("pod web ns=shop nginx")?;
    let mut other = root.sim(CONTAINERD, &[])?;
    other.tell("pod stray ns=x docker")?;
    let _mute = mute(root.place(K3S)?)?;
    http1(root.place(CRI_DOCKERD)?)?;
    let found = root.engines(&[])?;
    let json: Value = serde_json::from_str(found.json().as_str())?;
    let crio = root.api("/var/run/crio/crio.sock");
    // As the kubelet wrote it; the well-known path is the same socket.
    if apis(&found)[..2] != [crio.clone(), root.api(CONTAINERD)] {
        return Err(format!("not in this order: {json:#}").into());
    }
    let best = &json["engines"][0];
    let reasons = best["reasons"].as_array().ok_or("reasons")?;
    expect("its reasons", &(reasons[0]["evidence"] == "kubelet" && reasons[1]["evidence"] == "wellKnown"))?;
    expect("its file", &reasons[0]["text"].as_str().unwrap_or_default().contains("/var/lib/kubelet/config.yaml"))?;
    expect("its sandboxes", &(best["sandboxes"] == 1 && best["runtimeName"] == "cri-o"))?;
    let error = |api: &str| found.candidates.iter().find(|c| *c.api == *root.api(api)).and_then(|c| c.error.clone());
    expect("the mute one timed out", &error(K3S).is_some_and(|e| e.message().contains("no answer")))?;
    expect("another protocol is no engine", &error(CRI_DOCKERD).is_some())?;
    root.shows(&[], "nginx", "docker")?;
    let watcher = root.watcher(&[])?;
    watcher.resync(Some(PATIENCE))?;
    let info = schema::obey(watcher.engine_info()?.as_str())?;
    expect("the api", &(info["engine"]["api"] == crio.as_str()))?;
    expect("the others", &(info["candidates"][0]["api"] == root.api(CONTAINERD).as_str()))?;
    Ok(Completion::Completed)
}

pub fn drop_ins() -> Outcome {
    let root = Root::new()?;
    root.process(812, &["kubelet", "--config", "/etc/kubelet.yaml", "--config-dir=/etc/kubelet.conf.d"])?;
    root.file("/etc/kubelet.yaml", "containerRuntimeEndpoint: unix:///run/a.sock\n")?;
    root.file("/etc/kubelet.conf.d/10-a.conf", "containerRuntimeEndpoint: unix:///run/b.sock\n")?;
    root.file("/etc/kubelet.conf.d/20-b.conf", "containerRuntimeEndpoint: unix:///run/odd/place.sock # last\n")?;
    root.file("/etc/kubelet.conf.d/30-c.conf", "kind: KubeletConfiguration\n")?;
    root.file("/etc/kubelet.conf.d/40-d.yaml", "containerRuntimeEndpoint: unix:///run/c.sock\n")?;
    let mut sim = root.sim("/run/odd/place.sock", &[])?;
    sim.tell("pod web ns=shop nginx")?;
    let found = root.engines(&[])?;
    expect("the last drop-in", &(apis(&found) == [root.api("/run/odd/place.sock")]))?;
    root.shows(&[], "nginx", "none")?;
    // A flag counts more than all of them, also when nobody is there.
    root.process(
        812,
        &["kubelet", "--container-runtime-endpoint=unix:///run/flag.sock", "--config-dir=/etc/kubelet.conf.d"],
    )?;
    let found = root.engines(&[])?;
    expect("the flag", &(apis(&found) == [root.api("/run/flag.sock")] && !found.candidates[0].answers()))?;
    // Without a process that can be seen, kubeadm's files count.
    fs::remove_dir_all(root.at("/proc"))?;
    root.file(
        "/var/lib/kubelet/kubeadm-flags.env",
        "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=/run/odd/place.sock\"\n",
    )?;
    expect("kubeadm's flags", &(apis(&root.engines(&[])?) == [root.api("/run/odd/place.sock")]))?;
    Ok(Completion::Completed)
}

/// k3s hides its arguments; an empty containerd of the distribution comes first in the table.
pub fn k3s() -> Outcome {
    let root = Root::new()?;
    root.process(700, &["/usr/local/bin/k3s server"])?;
    let _empty = root.sim(CONTAINERD, &[])?;
    let mut ours = root.sim(K3S, &[])?;
    ours.tell("pod web ns=shop nginx")?;
    expect("k3s first", &(apis(&root.engines(&[])?) == [root.api(K3S), root.api(CONTAINERD)]))?;
    root.shows(&[], "nginx", "none")?;
    // The same without the host's processes: it has pods.
    fs::remove_dir_all(root.at("/proc"))?;
    root.folder("/proc")?;
    expect("pods first", &(apis(&root.engines(&[])?) == [root.api(K3S), root.api(CONTAINERD)]))?;
    root.shows(&[], "nginx", "none")?;
    Ok(Completion::Completed)
}

pub fn crictl_and_rootless() -> Outcome {
    let root = Root::new()?;
    root.file("/etc/crictl.yaml", "timeout: 2\nruntime-endpoint: unix:///run/own/engine.sock\n")?;
    let _one = root.sim("/run/own/engine.sock", &[])?;
    let _two = root.sim(CONTAINERD, &[])?;
    let rootless = "/run/user/1000/k3s/containerd/containerd.sock";
    let mut three = root.sim(rootless, &[])?;
    expect(
        "crictl's first",
        &(apis(&root.engines(&[])?) == ["/run/own/engine.sock", CONTAINERD, rootless].map(|p| root.api(p))),
    )?;
    three.tell("pod web ns=shop nginx")?;
    expect(
        "pods first",
        &(apis(&root.engines(&[])?) == [rootless, "/run/own/engine.sock", CONTAINERD].map(|p| root.api(p))),
    )?;
    root.shows(&[], "nginx", "none")?;
    Ok(Completion::Completed)
}

/// A thread of another user looks: its own credentials only.
pub fn without_rights() -> Outcome {
    let root = Root::new()?;
    let _ours = root.sim(CRIO, &[])?;
    let _other = root.sim(CONTAINERD, &[])?;
    fs::set_permissions(root.at(CONTAINERD), fs::Permissions::from_mode(0o600))?;
    fs::set_permissions(root.at(CRIO), fs::Permissions::from_mode(0o666))?;
    // SAFETY: no arguments.
    if unsafe { libc::geteuid() } != 0 {
        return skipped("not root: cannot become somebody who lacks rights");
    }
    let config = root.config(&[])?;
    let look = std::thread::spawn(move || {
        const NOBODY: libc::c_long = 65534;
        // SAFETY: integers only; the system call, unlike libc's function, concerns this thread alone.
        if unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) } != 0 {
            return Err(std::io::Error::last_os_error().to_string());
        }
        engines(&config, Some(Duration::from_secs(5))).map_err(|e| e.to_string())
    });
    let found = look.join().map_err(|_| "the thread panicked")??;
    let json = schema::obey(found.json().as_str())?;
    expect("the other is the best", &(apis(&found) == [CRIO, CONTAINERD].map(|p| root.api(p))))?;
    let error = &json["engines"][1]["error"];
    expect("EACCES", &(error["name"] == "CRI_E_PERMISSION" && error["osCode"] == libc::EACCES))?;
    expect("no sockets", &(json["absent"].as_array().is_some_and(|absent| !absent.is_empty())))?;
    Ok(Completion::Completed)
}
