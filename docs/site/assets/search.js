// The search. search-index.js has one entry for each section and each name: [title, page#anchor, where, text, weight].
const criwatchSearch = {
    LIMIT: 40,

    // The entries that have every word, best first.
    find(index, query) {
        const words = query.toLowerCase().split(/\s+/).filter(Boolean);
        if (!words.length) return [];
        const found = [];
        for (const entry of index) {
            const score = criwatchSearch.score(entry, words);
            if (score > 0) found.push({ entry, score });
        }
        found.sort((a, b) => b.score - a.score || a.entry[0].length - b.entry[0].length);
        return found.map(({ entry }) => entry);
    },

    score([title, , where, text, weight], words) {
        const name = title.toLowerCase();
        const whole = words.join(" ");
        let sum = name === whole || name.replace(/\(\)$/, "") === whole ? 200 : 0;
        for (const word of words) {
            const best = Math.max(
                criwatchSearch.inside(name, word, 60),
                criwatchSearch.inside(where.toLowerCase(), word, 8),
                criwatchSearch.inside(text.toLowerCase(), word, 6),
            );
            if (!best) return 0;
            sum += best;
        }
        return sum + weight;
    },

    // More for a word's beginning than for its middle, most for the text's beginning.
    inside(text, word, points) {
        const at = text.indexOf(word);
        if (at < 0) return 0;
        if (at === 0) return points;
        return points * (/[^a-z0-9]/.test(text[at - 1]) || text.includes(` ${word}`) ? 0.7 : 0.35);
    },

    // The text around the first word, so long as a line or two.
    excerpt(text, words) {
        const lower = text.toLowerCase();
        const at = Math.max(0, Math.min(...words.map((word) => lower.indexOf(word)).filter((found) => found >= 0)) || 0);
        const from = Number.isFinite(at) && at > 60 ? text.indexOf(" ", at - 60) + 1 : 0;
        return (from ? "… " : "") + text.slice(from, from + 160) + (text.length > from + 160 ? " …" : "");
    },
};

if (typeof module === "object") module.exports = criwatchSearch;

if (typeof document === "object") (() => {
    const root = document.documentElement.dataset.root;
    const dialog = document.querySelector(".search");
    const input = dialog.querySelector("input");
    const list = dialog.querySelector("ul");
    const count = dialog.querySelector("output");
    const opener = document.querySelector(".open-search");
    let chosen = 0;

    // A script and no data file: browsers give pages that are files nothing else.
    let loading = null;
    function load() {
        loading ??= new Promise((resolve, reject) => {
            const script = document.createElement("script");
            script.src = `${root}search-index.js`;
            script.onload = resolve;
            script.onerror = () => reject(new Error("search-index.js is missing"));
            document.head.append(script);
        });
        return loading;
    }
    async function open(query = "") {
        if (!dialog.open) dialog.showModal();
        input.value = query || input.value;
        input.select();
        await load();
        show();
    }
    function show() {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        const found = criwatchSearch.find(criwatchIndex, input.value);
        const shown = found.slice(0, criwatchSearch.LIMIT);
        list.replaceChildren(...shown.map((entry, at) => item(entry, words, at)));
        count.value = words.length ? told(found.length) : "Names of functions, events, options, and words of the text.";
        choose(0);
    }
    function told(number) {
        if (!number) return "Nothing has all these words.";
        return number > criwatchSearch.LIMIT ? `The best ${criwatchSearch.LIMIT} of ${number}` : `${number} found`;
    }
    function item([title, href, where, text], words, at) {
        const entry = document.createElement("li");
        entry.id = `found-${at}`;
        entry.setAttribute("role", "option");
        const link = document.createElement("a");
        link.href = root + href;
        link.tabIndex = -1;
        const place = document.createElement("span");
        place.className = "where-found";
        place.textContent = where;
        const about = document.createElement("small");
        about.append(...marked(criwatchSearch.excerpt(text, words), words));
        const name = document.createElement("strong");
        name.append(...marked(title, words));
        link.append(place, name, about);
        entry.append(link);
        return entry;
    }
    function marked(text, words) {
        const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
        if (!escaped.length) return [text];
        return text.split(new RegExp(`(${escaped.join("|")})`, "i")).map((piece, at) => {
            if (at % 2 === 0) return piece;
            const mark = document.createElement("mark");
            mark.textContent = piece;
            return mark;
        });
    }
    function choose(at) {
        if (!list.children.length) {
            input.removeAttribute("aria-activedescendant");
            return;
        }
        list.children[chosen]?.removeAttribute("aria-selected");
        chosen = (at + list.children.length) % list.children.length;
        list.children[chosen].setAttribute("aria-selected", "true");
        list.children[chosen].scrollIntoView({ block: "nearest" });
        input.setAttribute("aria-activedescendant", list.children[chosen].id);
    }
    function go() {
        const link = list.children[chosen]?.querySelector("a");
        if (!link) return;
        dialog.close();
        location.href = link.href;
    }

    opener.hidden = false;
    opener.addEventListener("click", () => open());
    input.addEventListener("input", show);
    dialog.querySelector("form").addEventListener("submit", (event) => {
        event.preventDefault();
        go();
    });
    dialog.querySelector(".close-search").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
        if (event.target === dialog || event.target.closest("li a")) dialog.close();
    });
    input.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        choose(chosen + step);
    });
    document.addEventListener("keydown", (event) => {
        const isTyping = event.target.closest("input, textarea");
        if ((event.key === "/" && !isTyping) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
            event.preventDefault();
            open();
        }
    });
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) open(asked);
})();
