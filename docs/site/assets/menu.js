// On small screens the contents are folded away; this button shows them. Without scripts, its link does.
(() => {
    const button = document.querySelector(".menu");
    const contents = document.getElementById("site-contents");

    function show(open) {
        contents.classList.toggle("is-open", open);
        button.setAttribute("aria-expanded", open);
        if (open) (contents.querySelector("[aria-current]") ?? contents.querySelector("summary")).focus();
    }
    button.setAttribute("role", "button");
    button.addEventListener("click", (event) => {
        event.preventDefault();
        show(!contents.classList.contains("is-open"));
    });
    button.addEventListener("keydown", (event) => {
        // A link is pressed by Enter alone, a button by Space, too.
        if (event.key !== " ") return;
        event.preventDefault();
        button.click();
    });
    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && contents.classList.contains("is-open")) {
            show(false);
            button.focus();
        }
    });
    // The current page's entry is in sight, however long the contents are.
    const current = contents.querySelector("[aria-current]");
    if (current && current.offsetTop > contents.clientHeight) contents.scrollTop = current.offsetTop - contents.clientHeight / 2;
})();
