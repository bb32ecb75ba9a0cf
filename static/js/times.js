// Moments in the reader's own time zone; the exact UTC stays in the title.
const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

export function localise(part) {
  for (const time of part.querySelectorAll?.("time[datetime]") ?? []) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) time.textContent = format.format(moment);
  }
}
