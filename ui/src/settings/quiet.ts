/** The next day at eight in the morning, in UNIX milliseconds. */
export function untilTomorrow(now: Date): number {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 8).getTime();
}

/** Minute of the day of what a time field holds; `null` while it is not whole. */
export function minutes(text: string): number | null {
  const found = /^([01]\d|2[0-3]):([0-5]\d)/u.exec(text);
  return found === null ? null : Number(found[1]) * 60 + Number(found[2]);
}

/** A moment as a clock shows it. */
export function clock(moment: number): string {
  return new Date(moment).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
