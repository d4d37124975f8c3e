import type { InviteWish, Role } from '#ui/bindings';
import { useClient } from '#ui/client';
import { Field } from '#ui/components/Field';
import styles from '#ui/home/Invite.module.css';

const DAY = 86_400_000;

/** As the server makes one when nothing is said. */
export const USUAL: InviteWish = { uses: 1, expiresInMs: 7 * DAY, role: 'user', me: false };

/** One more device of who makes it, who has it at hand. */
export const MINE: InviteWish = { uses: 1, expiresInMs: DAY, role: null, me: true };

const ROLES: [Role, string][] = [
  ['user', 'Member'],
  ['guest', 'Guest'],
  ['admin', 'Admin'],
];

/** For how many, for how long, and as what. Another choice makes another invite; the one before stays good. */
export function InviteWishes({ wish, onChange }: { wish: InviteWish; onChange: (wish: InviteWish) => void }) {
  const isAdmin = useClient((client) => client.me.role === 'admin') ?? false;
  return (
    <div className={styles.wishes}>
      <Field name="For">
        <select
          aria-label="For how many"
          value={wish.uses ?? 1}
          onChange={(event) => onChange({ ...wish, uses: Number(event.target.value) })}
        >
          <option value={1}>One person</option>
          <option value={5}>5 people</option>
          <option value={25}>25 people</option>
        </select>
      </Field>
      <Field name="Within">
        <select
          aria-label="For how long"
          value={wish.expiresInMs ?? 7 * DAY}
          onChange={(event) => onChange({ ...wish, expiresInMs: Number(event.target.value) })}
        >
          <option value={DAY}>A day</option>
          <option value={7 * DAY}>A week</option>
          <option value={28 * DAY}>Four weeks</option>
        </select>
      </Field>
      {isAdmin && (
        <Field name="As">
          <select
            aria-label="As what"
            value={wish.role ?? 'user'}
            onChange={(event) => {
              const chosen = ROLES.find(([role]) => role === event.target.value);
              onChange({ ...wish, role: chosen?.[0] ?? 'user' });
            }}
          >
            {ROLES.map(([role, says]) => (
              <option key={role} value={role}>
                {says}
              </option>
            ))}
          </select>
        </Field>
      )}
    </div>
  );
}
