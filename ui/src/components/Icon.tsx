/** Line icons on a 24-unit grid. */
const PATHS = {
  phone:
    'M5.5 3.5h3l1.6 4.2-2 1.5a12 12 0 0 0 6.7 6.7l1.5-2 4.2 1.6v3a2 2 0 0 1-2.2 2A17.5 17.5 0 0 1 3.5 5.7a2 2 0 0 1 2-2.2z',
  hangup: 'M3 14.5c0-1 .3-2 1-2.7 4.6-4 11.400-4 16 0 .7.7 1 1.700 1 2.700v1.300c0 .6-.5 1-1.100.9l-3.400-.6a1 1 0 0 1-.8-.9l-.2-2.400a11 11 0 0 0-7 0l-.2 2.400a1 1 0 0 1-.8.9l-3.400.6c-.6.100-1.100-.3-1.100-.9z',
  video: 'M3.500 7a1.500 1.500 0 0 1 1.500-1.500h9a1.500 1.500 0 0 1 1.500 1.500v10a1.500 1.500 0 0 1-1.500 1.500H5A1.500 1.500 0 0 1 3.500 17zM15.500 10.500l5-3v9l-5-3z',
  videoOff:
    'M3 3l18 18M7 5.500h7a1.500 1.500 0 0 1 1.500 1.500v3.500l5-3v9l-3-1.800M15.500 17a1.500 1.500 0 0 1-1.500 1.500H5A1.500 1.500 0 0 1 3.500 17V7',
  mic: 'M12 3.500a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3zM5.500 11a6.500 6.500 0 0 0 13 0M12 17.500v3',
  micOff:
    'M3 3l18 18M9 6.500a3 3 0 0 1 6 0V11M9 9v2.500a3 3 0 0 0 4.500 2.600M5.500 11a6.500 6.500 0 0 0 10 5.500M18.300 12.500a6.500 6.500 0 0 0 .2-1.500M12 17.500v3',
  settings:
    'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM19.400 13.500l1.600 1.200-1.800 3.100-1.900-.7a7 7 0 0 1-2.200 1.300l-.3 2.100h-3.600l-.3-2.100a7 7 0 0 1-2.200-1.300l-1.900.7L5 14.700l1.600-1.200a7 7 0 0 1 0-3L5 9.300l1.800-3.100 1.900.7a7 7 0 0 1 2.200-1.300l.3-2.100h3.600l.3 2.100a7 7 0 0 1 2.200 1.300l1.900-.7L21 9.300l-1.600 1.200a7 7 0 0 1 0 3z',
  invite: 'M9.500 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM3 20a6.500 6.500 0 0 1 13 0M18.500 7v6M15.500 10h6',
  incoming: 'M18 6L7 17M7 9v8h8',
  outgoing: 'M6 18L17 7M9 7h8v8',
  close: 'M6 6l12 12M18 6L6 18',
  back: 'M14.500 5.500L8 12l6.500 6.500',
} as const;

export type IconName = keyof typeof PATHS;

type Props = { name: IconName; size?: number };

export function Icon({ name, size = 20 }: Props) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill={name === 'hangup' || name === 'phone' ? 'currentColor' : 'none'}
        stroke={name === 'hangup' || name === 'phone' ? 'none' : 'currentColor'}
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
