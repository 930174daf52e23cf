// A page of work that is under way shows itself again until it has ended, unless somebody is about to do something.
(() => {
    const page = document.querySelector("[data-under-way]");
    if (!page) return;
    const again = () => {
        if (document.querySelector("dialog[open]") || document.hidden) setTimeout(again, 2000);
        else location.reload();
    };
    setTimeout(again, 3000);
})();
