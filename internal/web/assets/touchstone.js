// The slash key goes to the search box. Everything works without this.
document.addEventListener("keydown", (e) => {
  if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("#search");
  if (!box) return;
  e.preventDefault();
  box.focus();
  box.select();
});
