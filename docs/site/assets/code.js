// Code and tables: a button that copies, and keys that scroll what is wider than its place.
(() => {
    function copyable(block) {
        const frame = document.createElement("div");
        frame.className = "copied";
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = "Copy";
        button.addEventListener("click", async () => {
            button.textContent = (await copy(block.innerText)) ? "Copied" : "Not copied";
            setTimeout(() => { button.textContent = "Copy"; }, 1500);
        });
        block.replaceWith(frame);
        frame.append(block, button);
    }
    async function copy(text) {
        const plain = text.replace(/\n+$/, "\n");
        try {
            await navigator.clipboard.writeText(plain);
            return true;
        } catch {
            return copiedBySelection(plain);
        }
    }
    // Browsers give pages that are files no clipboard.
    function copiedBySelection(text) {
        const area = document.createElement("textarea");
        area.value = text;
        area.style.position = "fixed";
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        return done;
    }
    function scrollable(block) {
        if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
    }
    const blocks = document.querySelectorAll("main pre:not(.listing)");
    blocks.forEach(copyable);
    document.querySelectorAll("main pre, main .wide").forEach(scrollable);
})();
