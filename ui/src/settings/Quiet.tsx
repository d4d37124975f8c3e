import { useState } from 'react';

import type { DoNotDisturb, QuietHours, Weekday } from '#ui/bindings';
import { Switch } from '#ui/components/Switch';
import { useNow } from '#ui/components/use-now';
import { clock, minutes, untilTomorrow } from '#ui/settings/quiet';
import styles from '#ui/settings/Settings.module.css';
import { useWish } from '#ui/settings/use-wish';

const HOUR = 3_600_000;
const DAYS: [Weekday, string][] = [
  ['monday', 'Mo'],
  ['tuesday', 'Tu'],
  ['wednesday', 'We'],
  ['thursday', 'Th'],
  ['friday', 'Fr'],
  ['saturday', 'Sa'],
  ['sunday', 'Su'],
];
const NIGHT: QuietHours = { days: DAYS.map(([day]) => day), from: 22 * 60, to: 7 * 60 };

/** When no call rings, on any device of this person: by hand, and at hours of the week. */
export function Quiet() {
  const [wish, set] = useWish();
  const [first, ...rest] = wish.hours ?? [];
  // Switched off and on again, they are what they were.
  const [last, keep] = useState<QuietHours[]>([NIGHT]);
  const change = (hours: QuietHours[]) => {
    if (hours.length > 0) {
      keep(hours);
    }
    set({ ...wish, hours });
  };
  return (
    <>
      <ByHand wish={wish} set={set} />
      <Switch
        name="Quiet hours"
        explains="At these hours nothing rings; calls wait among the missed ones."
        isOn={first !== undefined}
        onChange={(isOn) => {
          if (first !== undefined) {
            keep([first, ...rest]);
          }
          set({ ...wish, hours: isOn ? last : [] });
        }}
      />
      {first !== undefined && (
        <>
          <Hours hours={first} onChange={(changed) => change([changed, ...rest])} />
          {rest.length > 0 && (
            <p className={styles.word}>
              {rest.length === 1
                ? 'One more set of hours is kept as it is.'
                : `${rest.length} more sets of hours are kept as they are.`}
            </p>
          )}
        </>
      )}
    </>
  );
}

function ByHand({ wish, set }: { wish: DoNotDisturb; set: (wish: DoNotDisturb) => void }) {
  const now = useNow(30_000);
  const until = wish.until ?? null;
  const isOn = wish.is_on === true && (until === null || until > now);
  const choose = (chosen: string) => {
    const end = chosen === 'hour' ? Date.now() + HOUR : chosen === 'tomorrow' ? untilTomorrow(new Date()) : null;
    set({ ...wish, is_on: chosen !== 'off', until: end });
  };
  return (
    <label className={styles.line}>
      Now
      <select aria-label="Do not disturb" value={isOn ? 'on' : 'off'} onChange={(event) => choose(event.target.value)}>
        <option value="off">Calls ring</option>
        {isOn && <option value="on">{until === null ? 'Quiet' : `Quiet until ${clock(until)}`}</option>}
        <option value="hour">Quiet for one hour</option>
        <option value="tomorrow">Quiet until tomorrow, 8:00</option>
        <option value="always">Quiet until I change it</option>
      </select>
    </label>
  );
}

function Hours({ hours, onChange }: { hours: QuietHours; onChange: (hours: QuietHours) => void }) {
  const toggle = (day: Weekday) => {
    const days = hours.days.includes(day) ? hours.days.filter((known) => known !== day) : [...hours.days, day];
    if (days.length > 0) {
      onChange({ ...hours, days });
    }
  };
  return (
    <div className={styles.hours}>
      <Time name="From" value={hours.from} onChange={(from) => onChange({ ...hours, from })} />
      <Time name="To" value={hours.to} onChange={(to) => onChange({ ...hours, to })} />
      <div className={styles.days} role="group" aria-label="Days on which they begin">
        {DAYS.map(([day, short]) => (
          <button
            key={day}
            type="button"
            aria-label={day}
            aria-pressed={hours.days.includes(day)}
            onClick={() => toggle(day)}
          >
            {short}
          </button>
        ))}
      </div>
    </div>
  );
}

function Time({ name, value, onChange }: { name: string; value: number; onChange: (value: number) => void }) {
  // While it is typed it is half a time now and then, and nobody else's.
  const [text, type] = useState<string | null>(null);
  const told = `${String(Math.floor(value / 60)).padStart(2, '0')}:${String(value % 60).padStart(2, '0')}`;
  return (
    <label>
      {name}
      <input
        type="time"
        value={text ?? told}
        onChange={(event) => {
          type(event.target.value);
          const chosen = minutes(event.target.value);
          if (chosen !== null) {
            onChange(chosen);
          }
        }}
        onBlur={() => type(null)}
      />
    </label>
  );
}
