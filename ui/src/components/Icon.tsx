/** Line icons on a 24-unit grid. */
const PATHS = {
  phone:
    'M6.6 10.8a15.1 15.1 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.57a1 1 0 0 1-.25 1.02z',
  hangup:
    'M12 9a15 15 0 0 0-4.6.7v3.1a1 1 0 0 1-.56.9 11.4 11.4 0 0 0-2.66 1.85.98.98 0 0 1-1.4-.02L.3 13.06a1 1 0 0 1 0-1.41 17 17 0 0 1 23.4 0 1 1 0 0 1 0 1.41l-2.48 2.48a1 1 0 0 1-1.4.02 11.4 11.4 0 0 0-2.67-1.85 1 1 0 0 1-.56-.9V9.7A15 15 0 0 0 12 9z',
  video: 'M3.5 7.5a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2zM15.5 10.6l5-2.9v8.6l-5-2.9z',
  videoOff:
    'M3.5 3.5l17 17M8 5.5h5.5a2 2 0 0 1 2 2v3.1l5-2.9v8.6l-2.2-1.3M15.4 16.9a2 2 0 0 1-1.9 1.6h-8a2 2 0 0 1-2-2v-9a2 2 0 0 1 1.2-1.85',
  mic: 'M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v2.5M9 20.5h6',
  micOff:
    'M3.5 3.5l17 17M9 6a3 3 0 0 1 6 .5V11M9 9.5v2a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10 5.5M18.4 12.6a6.5 6.5 0 0 0 .1-1.1M12 18v2.5M9 20.5h6',
  settings:
    'M4 7h9M17 7h3M4 12h3M11 12h9M4 17h9M17 17h3M15 5.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6zM9 10.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6zM15 15.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z',
  invite: 'M9.5 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20a6.5 6.5 0 0 1 13 0M18.5 7.5v6M15.5 10.5h6',
  group:
    'M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11zM3 19.5a6 6 0 0 1 12 0M15.8 5a3 3 0 0 1 0 5.8M17.6 13.9a6 6 0 0 1 3.4 5.6',
  incoming: 'M17.5 6.5L7 17M7 9v8h8',
  outgoing: 'M6.5 17.5L17 7M9 7h8v8',
  star: 'M12 4.5l2.3 4.7 5.2.75-3.75 3.65.9 5.15L12 16.3l-4.65 2.45.9-5.15L4.5 9.95l5.2-.75z',
  starred: 'M12 4.5l2.3 4.7 5.2.75-3.75 3.65.9 5.15L12 16.3l-4.65 2.45.9-5.15L4.5 9.95l5.2-.75z',
  close: 'M6 6l12 12M18 6L6 18',
  back: 'M14.5 5.5L8 12l6.5 6.5',
  search: 'M10.5 4.5a6 6 0 1 1 0 12 6 6 0 0 1 0-12zM15 15l4.5 4.5',
  copy: 'M9 8.5h9a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5H9A1.5 1.5 0 0 1 7.5 19v-9A1.5 1.5 0 0 1 9 8.5zM4.5 15.5V5A1.5 1.5 0 0 1 6 3.5h9',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  message:
    'M4 6.5A1.5 1.5 0 0 1 5.5 5h13A1.5 1.5 0 0 1 20 6.5v8a1.5 1.5 0 0 1-1.5 1.5H11l-4.5 3.5V16h-1A1.5 1.5 0 0 1 4 14.5z',
  home: 'M4 11.5L12 4.5l8 7M6 10v9.5h12V10M10 19.5v-5h4v5',
  door: 'M5.5 20.5v-16h10v16M3.5 20.5h17M12.5 12.5v.5M15.5 7.5h3v13',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  ticket: 'M4 7.5h16v3a1.8 1.8 0 0 0 0 3.5v3H4v-3a1.8 1.8 0 0 0 0-3.5zM14 7.5v2M14 11.5v2M14 15.5v1.5',
} as const;

export type IconName = keyof typeof PATHS;

const SOLID: ReadonlySet<IconName> = new Set<IconName>(['phone', 'hangup', 'starred']);

type Props = { name: IconName; size?: number };

export function Icon({ name, size = 20 }: Props) {
  const isSolid = SOLID.has(name);
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill={isSolid ? 'currentColor' : 'none'}
        stroke={isSolid ? 'none' : 'currentColor'}
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
