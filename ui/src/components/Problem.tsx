import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import styles from '#ui/components/Problem.module.css';
import { HEADLINES, showProblem, useProblem } from '#ui/problems';

/** What went wrong last, until the person has read it. */
export function Problem() {
  const problem = useProblem();
  if (problem === null) {
    return null;
  }
  return (
    <div className={styles.problem} role="alert">
      <div className={styles.text}>
        <strong>{HEADLINES[problem.code]}</strong>
        {problem.message}
      </div>
      <Button label="Close this message" kind="plain" onPress={() => showProblem(null)}>
        <Icon name="close" size={18} />
      </Button>
    </div>
  );
}
