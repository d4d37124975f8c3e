import { useState } from 'react';

import { callOnScreen } from '#ui/call/on-screen';
import { useApp, useCalls } from '#ui/client';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import styles from '#ui/components/Problem.module.css';
import { TopLayer } from '#ui/components/TopLayer';
import { HEADLINES, showProblem, useProblem } from '#ui/problems';
import { length } from '#ui/words';

/** What went wrong last, here or in popup, notification and tray, until the person has read it. */
export function Problem() {
  const here = useProblem();
  const elsewhere = useApp((app) => app?.problem ?? null);
  const isInCall = callOnScreen(useCalls(), null) !== undefined;
  const [read, setRead] = useState(0);
  const isNew = elsewhere !== null && elsewhere.sequence > read;
  const problem = isNew ? elsewhere.error : here;
  if (problem === null) {
    return null;
  }
  const close = () => {
    if (isNew) {
      setRead(elsewhere.sequence);
    } else {
      showProblem(null);
    }
  };
  return (
    <TopLayer>
      <div className={styles.problem} role="alert" data-in-call={isInCall}>
        <div className={styles.text}>
          <strong>{HEADLINES[problem.code]}</strong>
          <p>{problem.message}</p>
          {problem.retry_after_ms != null && <p>It works again in {length(problem.retry_after_ms)}.</p>}
        </div>
        <Button label="Close this message" kind="plain" onPress={close}>
          <Icon name="close" size={18} />
        </Button>
      </div>
    </TopLayer>
  );
}
