/** How tiles lie on the stage. */
export type Arrangement = { columns: number; width: number; height: number };

const RATIO = 16 / 9;

/** The largest tiles of 16:9 that fit `count` times into an area, in pixels. */
export function arrange(count: number, area: { width: number; height: number }, gap: number): Arrangement {
  let best: Arrangement = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(Math.max(1, count) / columns);
    const room = {
      width: (area.width - gap * (columns - 1)) / columns,
      height: (area.height - gap * (rows - 1)) / rows,
    };
    const width = Math.floor(Math.max(0, Math.min(room.width, room.height * RATIO)));
    if (width > best.width) {
      best = { columns, width, height: Math.floor(width / RATIO) };
    }
  }
  return best;
}
