// The rail of each category follows its cuts while they are typed.
const share = (field) => Math.min(Math.max(Number.parseFloat(field?.value) || 0, 0), 1);
const percent = (value) => `${(100 * value).toFixed(2)}%`;

for (const row of document.querySelectorAll("tr[data-band]")) {
  const [approve, automatic, block] = ["approve", "automatic", "block"].map((part) => row.querySelector(`[name^="${part}_"]`));
  const [ok, warn, stop] = row.querySelectorAll(".zones rect");
  const draw = () => {
    const first = share(approve);
    const last = automatic?.checked && block.value ? Math.max(share(block), first) : 1;
    ok.setAttribute("width", percent(first));
    warn.setAttribute("x", percent(first));
    warn.setAttribute("width", percent(last - first));
    stop.setAttribute("x", percent(last));
    stop.setAttribute("width", percent(1 - last));
    row.classList.toggle("manual", Boolean(automatic) && !automatic.checked);
  };
  row.addEventListener("input", draw);
  draw();
}
