// Fill in the browser's time zone where the reader has not chosen one.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  const fill = () => {
    for (const field of document.querySelectorAll("[name=timezone]")) {
      if (field.value) continue;
      field.value = zone;
      // A select without this zone would have nothing selected: reset it to its first option.
      if (field.value !== zone) field.selectedIndex = 0;
    }
  };
  fill();
  document.addEventListener("htmx:load", fill); // a form that htmx has swapped in
})();
