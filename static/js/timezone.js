// Fill in the time zone that the browser knows, where the reader has not chosen one.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  const fill = () => {
    for (const field of document.querySelectorAll("[name=timezone]")) {
      if (field.value) continue;
      field.value = zone;
      // A list that does not hold the zone is left with nothing chosen: back to its first line.
      if (field.value !== zone) field.selectedIndex = 0;
    }
  };
  fill();
  document.addEventListener("htmx:load", fill); // a form that is shown again, in its place
})();
