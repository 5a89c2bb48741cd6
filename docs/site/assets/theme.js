// The scheme of colours: the screen's, light, or dark. It runs before the page is painted, so that nothing flashes.
(() => {
    const SCHEMES = ["auto", "light", "dark"];
    const page = document.documentElement;

    // Where storage is refused (some browsers do so for files), the choice lasts as long as the page.
    function stored() {
        try { return localStorage.getItem("scheme"); } catch { return null; }
    }
    function store(scheme) {
        try { localStorage.setItem("scheme", scheme); } catch { /* see stored() */ }
    }
    function apply(scheme) {
        page.dataset.theme = SCHEMES.includes(scheme) ? scheme : "auto";
    }
    apply(stored());

    document.addEventListener("DOMContentLoaded", () => {
        const button = document.querySelector(".switch-theme");
        const name = () => button.setAttribute("aria-label", `Colours: ${page.dataset.theme}. Change them`);
        button.hidden = false;
        name();
        button.addEventListener("click", () => {
            apply(SCHEMES[(SCHEMES.indexOf(page.dataset.theme) + 1) % SCHEMES.length]);
            store(page.dataset.theme);
            name();
        });
    });
})();
