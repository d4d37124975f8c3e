import type { ServerNearby } from '#ui/bindings';
import { useApp } from '#ui/client';
import styles from '#ui/welcome/Welcome.module.css';

const NOBODY: ServerNearby[] = [];

/** The servers that announce themselves on this network. */
export function Nearby({ chosen, onChoose }: { chosen: string; onChoose: (address: string) => void }) {
  const nearby = useApp((app) => app?.nearby) ?? NOBODY;
  if (nearby.length === 0) {
    return (
      <p className={styles.hint} role="status">
        Looking for servers on this network… If yours does not appear, type its address.
      </p>
    );
  }
  return (
    <div className={styles.nearby} role="radiogroup" aria-label="Servers on this network">
      {nearby.map((server) => (
        <button
          key={server.address}
          type="button"
          role="radio"
          aria-checked={server.address === chosen}
          aria-label={server.name}
          onClick={() => onChoose(server.address)}
        >
          <strong title={server.name}>{server.name}</strong>
          <span>{server.address}</span>
        </button>
      ))}
    </div>
  );
}
