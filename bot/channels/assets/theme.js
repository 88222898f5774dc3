// The look that was chosen on the page, before anything is painted.
const theme = localStorage.getItem("paring-theme");
if (theme) document.documentElement.dataset.theme = theme;
