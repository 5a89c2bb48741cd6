// Marks in the outline which section is being read, and opens the list that has it.
(() => {
    const outline = document.querySelector(".outline");
    if (!outline) return;
    const entries = new Map([...outline.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
    const headings = [...entries.keys()].map((id) => document.getElementById(decodeURIComponent(id))).filter(Boolean);
    let marked = null;

    function mark(link) {
        if (link === marked) return;
        marked?.removeAttribute("aria-current");
        link?.setAttribute("aria-current", "true");
        const group = link?.closest("li details");
        for (const other of outline.querySelectorAll("li details[data-by-reading]")) {
            if (other !== group) other.open = false;
        }
        if (group && !group.open) {
            group.open = true;
            group.dataset.byReading = "";
        }
        if (link && getComputedStyle(outline).position === "sticky") {
            const { top, bottom } = link.getBoundingClientRect();
            const box = outline.getBoundingClientRect();
            if (top < box.top || bottom > box.bottom) outline.scrollTop += top - box.top - box.height / 3;
        }
        marked = link;
    }
    function read() {
        // The last heading above the upper third of the screen.
        const line = innerHeight / 3;
        let low = 0, high = headings.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (headings[middle].getBoundingClientRect().top <= line) low = middle + 1; else high = middle;
        }
        mark(low ? entries.get(encodeURIComponent(headings[low - 1].id)) ?? entries.get(headings[low - 1].id) : null);
    }
    let waiting = false;
    addEventListener("scroll", () => {
        if (waiting) return;
        waiting = true;
        requestAnimationFrame(() => { waiting = false; read(); });
    }, { passive: true });
    read();
})();
