/** `after`, with every part that equals the one in `before` replaced by it, so that unchanged parts stay identical. */
export function share<T>(before: unknown, after: T): T {
  if (Object.is(before, after)) {
    return after;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const shared = after.map((item, place) => share(before[place], item as unknown));
    const isSame = before.length === after.length && shared.every((item, place) => Object.is(item, before[place]));
    return (isSame ? before : shared) as T;
  }
  if (isRecord(before) && isRecord(after)) {
    const keys = Object.keys(after);
    const shared = Object.fromEntries(keys.map((key) => [key, share(before[key], after[key])]));
    const isSame =
      keys.length === Object.keys(before).length && keys.every((key) => Object.is(shared[key], before[key]));
    return (isSame ? before : shared) as T;
  }
  return after;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
