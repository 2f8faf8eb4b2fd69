// A part with data-while="NAME" stands as long as the stream has that count; then
// the page is read again.
source?.addEventListener("counts", async (e) => {
  const counts = JSON.parse(e.data);
  const over = [...document.querySelectorAll("[data-while]")].find((at) => !(at.dataset.while in counts));
  if (!over) return;
  over.removeAttribute("data-while");
  if (document.activeElement?.matches("input, textarea, select")) return;
  try {
    const answer = await fetch(location.href, { headers: { "Touchstone-Swap": "1" } });
    swap(await answer.text(), location.href);
  } catch { tell("offline"); }
});

// A slider says where it stands.
document.addEventListener("input", (e) => {
  const out = e.target.matches("input[type=range]") && document.querySelector(`output[data-of="${CSS.escape(e.target.id)}"]`);
  if (out) out.textContent = (100 * e.target.value).toFixed(1).replace(/\.0$/, "") + "\u202f%";
});
