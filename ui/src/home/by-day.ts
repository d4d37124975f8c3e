import type { HistoryView } from '#ui/bindings';
import { day } from '#ui/words';

type Group = { day: string; entries: HistoryView[] };

/** The history under headings, in its own order. */
export function byDay(history: HistoryView[], now: number): Group[] {
  const groups: Group[] = [];
  for (const entry of history) {
    const name = day(entry.at, now);
    const last = groups.at(-1);
    if (last?.day === name) {
      last.entries.push(entry);
    } else {
      groups.push({ day: name, entries: [entry] });
    }
  }
  return groups;
}
