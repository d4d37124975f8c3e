import styles from '#ui/components/Switch.module.css';

type Props = { name: string; explains: string; isOn: boolean; isBusy?: boolean; onChange: (isOn: boolean) => void };

/** Something that is on or off, and what that means. */
export function Switch({ name, explains, isOn, isBusy = false, onChange }: Props) {
  return (
    <label className={styles.switch}>
      <input
        type="checkbox"
        aria-label={name}
        checked={isOn}
        disabled={isBusy}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        {name}
        <small>{explains}</small>
      </span>
    </label>
  );
}
