import type { Stage } from '#ui/bindings';
import { useApp } from '#ui/client';
import { Calls } from '#ui/call/Calls';
import { callOnScreen } from '#ui/call/on-screen';
import { Problem } from '#ui/components/Problem';
import { Starting } from '#ui/components/Starting';
import { Home } from '#ui/home/Home';
import { IncomingBar } from '#ui/ring/IncomingBar';
import { Asking } from '#ui/welcome/Asking';
import { Locked } from '#ui/welcome/Locked';
import { Welcome } from '#ui/welcome/Welcome';

/** The main window: what it shows follows from the state alone. */
export function App() {
  const stage = useApp((app) => app?.stage);
  if (stage === undefined) {
    return <Starting what="Starting…" />;
  }
  return (
    <>
      <Screen stage={stage} />
      <Problem />
    </>
  );
}

function Screen({ stage }: { stage: Stage }) {
  switch (stage.stage) {
    case 'welcome':
      return <Welcome error={stage.error} notice={stage.notice} />;
    case 'asking':
      return <Asking server={stage.server} code={stage.code} minutes={stage.minutes} />;
    case 'locked':
      return <Locked error={stage.error} />;
    case 'starting':
      return <Starting what={stage.what} />;
    case 'ready': {
      const { calls } = stage.client;
      return (
        <>
          <IncomingBar />
          {callOnScreen(calls, null) === undefined ? <Home /> : <Calls calls={calls} />}
        </>
      );
    }
  }
}
