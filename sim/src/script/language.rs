//! The language of scripts, with every command once. The help, the manual page, the tables of docs/simulator.md and the
//! usage in error messages are made from it. A command that is not in it does not exist.

/// One form of a command.
#[derive(Debug)]
pub struct Entry {
    pub usage: &'static str,
    pub does: &'static str,
}

/// Commands that belong together.
#[derive(Debug)]
pub struct Chapter {
    pub title: &'static str,
    /// The text about all of them; may be empty.
    pub about: &'static str,
    pub entries: &'static [Entry],
}

const fn entry(usage: &'static str, does: &'static str) -> Entry {
    Entry { usage, does }
}

/// The entry for a command's first word.
pub fn command(verb: &str) -> Option<&'static Entry> {
    let of_commands = COMMANDS.iter().flat_map(|chapter| chapter.entries);
    of_commands.into_iter().find(|entry| entry.usage.split(' ').next() == Some(verb))
}

/// The entry for a fault's name.
pub fn fault(name: &str) -> Option<&'static Entry> {
    FAULTS.entries.iter().find(|entry| entry.usage.split(' ').nth(1) == Some(name))
}

/// All chapters, in the order of the documents.
pub fn chapters() -> impl Iterator<Item = &'static Chapter> {
    COMMANDS.iter().chain([&POD_OPTIONS, &CONTAINER_OPTIONS, &PROGRAMS, &CLAIMS, &FAULTS, &HOSTILITIES])
}

/// The rules for every line.
pub const LINES: &str = "Each line has one command; `#` begins a comment, and words are quoted as in a shell. The \
                         answer to each command is one line, `ok COMMAND ...` with values like `id=...`, or `error \
                         COMMAND: why`. It is printed when the command is done. TIME is 200ms, 1.5s or 2m. The name \
                         of a pod is POD or NS/POD. The name of a container is CONTAINER, POD/CONTAINER or \
                         NS/POD/CONTAINER. NAME is the name of either. If several attempts have the name, the newest \
                         one is meant. An id, or its first 6 or more characters, is a name, too. In any word, \
                         `{bad-bytes}` stands for the bytes ff fe ff fe on the wire, which are not UTF-8, and `{esc}` \
                         for the character ESC.";

/// The commands, by their subject.
pub const COMMANDS: &[Chapter] = &[
    Chapter {
        title: "Pods and containers",
        about: "",
        entries: &[
            entry(
                "pod POD [OPTION...] CONTAINER... [-- COMMAND ARG...]",
                "makes a pod, and creates and starts its containers: run-pod, create and start in one",
            ),
            entry("run-pod POD [OPTION...]", "makes a pod's sandbox"),
            entry("create POD CONTAINER [OPTION...] [-- COMMAND ARG...]", "creates a container in a pod"),
            entry("start CONTAINER", "starts the container"),
            entry("stop CONTAINER [TIME]", "sends its stop signal, and SIGKILL after TIME (2s)"),
            entry("rm CONTAINER", "removes the container"),
            entry("stop-pod POD", "stops the sandbox and its containers"),
            entry("rm-pod POD", "removes the sandbox and its containers"),
            entry("kill NAME SIGNAL", "signals a process from outside, as anyone on the node could: TERM, KILL, 15"),
            entry(
                "oom CONTAINER [TIME]",
                "kills it as the kernel's OOM killer does: 137 \"Error\" at once, \"OOMKilled\" TIME (300ms) later, without an \
                 event",
            ),
            entry("tag TAG IMAGE", "gives an image another tag; the answer has the image's id, which is a name, too"),
            entry("untag TAG", "takes a tag away; the image and its containers stay"),
        ],
    },
    Chapter {
        title: "Waiting and looking",
        about: "",
        entries: &[
            entry(
                "wait NAME STATE [TIME]",
                "waits until NAME is created, running, exited, ready, notready or gone, at most TIME (10s)",
            ),
            entry(
                "wait-subscribed N [TIME]",
                "waits until N subscriptions to events were made since the start, at most TIME (10s)",
            ),
            entry("sleep TIME", "does nothing for TIME"),
            entry("list", "prints a line `- ...` for each sandbox and container, and then the answer"),
            entry("stats", "counts sandboxes, containers, events, subscriptions, and the calls of each RPC"),
            entry("quit", "ends the program"),
        ],
    },
    Chapter {
        title: "What goes wrong",
        about: "",
        entries: &[
            entry(
                "down",
                "ends the engine; until `up`, no events are sent, and what ends is shown by containerd as 255 \"Unknown\"",
            ),
            entry("up", "starts the engine again"),
            entry(
                "restart [new-ids]",
                "down and up: connections and socket are gone, then the socket is back; containers run on, and no event is \
                 replayed. new-ids: as after a reboot, the same pods have new ids",
            ),
            entry(
                "tell TYPE NAME",
                "sends an extra event that shows the present state; TYPE: created, started, stopped or deleted",
            ),
            entry("lose NAME", "removes the id from the engine without an event; the process stays"),
            entry("find ID", "shows a lost id again"),
            entry("vanish CONTAINER", "ends the process, and the engine does not notice: it still says \"running\""),
            entry("claim NAME|all CLAIM", "makes the engine say something false from now on: see claims"),
            entry("claim NAME|all off", "makes the engine tell the truth again"),
            entry("fault NAME ...", "switches a fault of the engine on or off: see faults"),
        ],
    },
];

/// The options of `pod` and `run-pod`.
pub const POD_OPTIONS: Chapter = Chapter {
    title: "Options of a pod",
    about: "",
    entries: &[
        entry("ns=NAMESPACE", "default: default"),
        entry("uid=UID", "default: a new one"),
        entry("attempt=N", "default: 0"),
        entry("label=KEY=VALUE", "one more label; may be repeated"),
        entry("annotation=KEY=VALUE", "one more annotation; may be repeated"),
        entry("cgroup-parent=PATH", "default: the kubelet's, made from the uid"),
        entry("host-network", "in the node's network namespace"),
    ],
};

/// The options of `create`.
pub const CONTAINER_OPTIONS: Chapter = Chapter {
    title: "Options of a container",
    about: "",
    entries: &[
        entry(
            "image=IMAGE",
            "default: registry.example/CONTAINER:1.0; an image is made by the first container that names it",
        ),
        entry("user-image=NAME", "the image as the pod's author wrote it; default: the same"),
        entry("attempt=N", "default: 0"),
        entry("label=KEY=VALUE", "one more label; may be repeated"),
        entry("annotation=KEY=VALUE", "one more annotation; may be repeated"),
        entry("env=KEY=VALUE", "a variable; may be repeated"),
        entry("mount=HOST-PATH:PATH", "a mount; may be repeated"),
    ],
};

/// The possible values of a container's COMMAND.
pub const PROGRAMS: Chapter = Chapter {
    title: "Commands of a container",
    about: "Without a command, a container runs for ever. No other programs exist, so the start of any other fails.",
    entries: &[
        entry("sleep TIME", "ends with 0 after TIME; infinity: never"),
        entry("true", "ends with 0 at once"),
        entry("false", "ends with 1 at once"),
        entry("exit N", "ends with N at once"),
        entry("pause", "runs for ever"),
        entry("sh -c 'sleep 1; exit 3'", "does these commands one after the other"),
        entry("sh -c \"trap 'exit 3' TERM; sleep 9 & wait\"", "ends with 3 when it is asked to stop"),
    ],
};

/// The possible values of `claim`.
pub const CLAIMS: Chapter = Chapter {
    title: "Claims",
    about: "What the engine says of one container or sandbox, or of all of them, whether it is true or not.",
    entries: &[
        entry("claim NAME listed STATE", "lists show it in this state: created, running, exited or unknown"),
        entry("claim NAME state STATE", "its statuses, in replies and events, have this state"),
        entry("claim NAME no-status", "lists show it, and requests for its status get NOT_FOUND"),
        entry("claim NAME no-verbose-status", "lists show it, and requests for its verbose status get NOT_FOUND"),
        entry("claim NAME no-started-at", "its statuses do not say when it started"),
        entry("claim NAME hangs", "requests for its status are never answered"),
        entry("claim NAME refused TEXT", "requests for its status fail with this text"),
        entry("claim NAME undecodable", "its entry in lists cannot be decoded, except for the id"),
        entry("claim NAME nameless", "its entry in lists cannot be decoded, not even the id"),
    ],
};

/// The faults that `fault` switches.
pub const FAULTS: Chapter = Chapter {
    title: "Faults",
    about: "",
    entries: &[
        entry("fault stall on|off", "all calls hang until the fault is off"),
        entry("fault slow TIME|off", "all calls are answered TIME later"),
        entry("fault mute on|off", "connections are accepted, but nothing is read or written"),
        entry(
            "fault not-initialized unknown|unavailable|off",
            "all calls are refused with this code, as while the engine starts",
        ),
        entry("fault not-served on|off", "all calls are refused, as by a containerd without its CRI plugin"),
        entry("fault withhold-headers on|off", "GetContainerEvents sends no headers, even when events come"),
        entry("fault silent-events on|off", "event streams open with headers, and no event comes"),
        entry("fault partial-lists on|off", "a streamed list fails after its first batch"),
        entry("fault drop-events N", "the next N events are lost"),
        entry("fault duplicate-events on|off", "each event is sent twice"),
        entry("fault reorder-events on|off", "events are swapped in pairs"),
        entry(
            "fault statusless on|sandbox|off",
            "events come without the statuses of containers and sandbox, or only without the sandbox's",
        ),
        entry("fault replay N", "the last N events are sent again, unchanged"),
        entry("fault break-stream", "all event streams end with an error"),
        entry("fault end-stream", "all event streams end with OK"),
        entry("fault clock-step [-]TIME", "the engine's clock jumps forward by TIME, or back with -"),
        entry("fault hostile HOW|off", "some answers are hostile: see hostile answers"),
    ],
};

/// The possible values of `fault hostile`.
pub const HOSTILITIES: Chapter = Chapter {
    title: "Hostile answers",
    about: "Only one of them can be on at a time.",
    entries: &[
        entry("fault hostile garbage", "replies are no protocol buffers"),
        entry("fault hostile wrong-types", "replies are protocol buffers of another kind"),
        entry("fault hostile huge", "a list is one message of 81 MiB"),
        entry("fault hostile flood", "events of new containers come without end"),
        entry("fault hostile endless-lists", "a streamed list has no end"),
        entry("fault hostile deep", "the verbose information is JSON nested a million times"),
        entry("fault hostile wide", "the verbose information is JSON with a million objects"),
        entry("fault hostile ids", "lists have ids that no engine has"),
        entry("fault hostile labels", "a list has a container with a million labels"),
        entry("fault hostile empty-entries", "a list has 20 million empty entries"),
        entry("fault hostile small-entries", "a list has 40,000 containers with hardly more than an id"),
    ],
};
