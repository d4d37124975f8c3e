import { useState } from 'react';

import { commands } from '#ui/bindings';
import type { Stage } from '#ui/bindings';
import { useApp } from '#ui/client';
import { Calls } from '#ui/call/Calls';
import { callOnScreen } from '#ui/call/on-screen';
import { Problem } from '#ui/components/Problem';
import { Starting } from '#ui/components/Starting';
import { Home } from '#ui/home/Home';
import { Invite } from '#ui/home/Invite';
import { IncomingBar } from '#ui/ring/IncomingBar';
import { Settings } from '#ui/settings/Settings';
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
      return <Welcome error={stage.error} notice={stage.notice} back={stage.back} />;
    case 'asking':
      return <Asking server={stage.server} code={stage.code} minutes={stage.minutes} />;
    case 'locked':
      return <Locked error={stage.error} />;
    case 'starting':
      return <Starting what={stage.what} {...(stage.canStop ? { onStop: () => void commands.stopAsking() } : {})} />;
    case 'ready':
      return <Ready />;
  }
}

/** What is open beside the calls. */
export type Panel = 'invite' | 'device' | 'settings' | null;

/** Signed in. What is open and looked for stays when a call fills the window for a while, and when it ends. */
function Ready() {
  const calls = useApp((app) => (app?.stage.stage === 'ready' ? app.stage.client.calls : undefined)) ?? [];
  const [panel, open] = useState<Panel>(null);
  const [search, setSearch] = useState('');
  const isAtHome = callOnScreen(calls, null) === undefined;
  const close = () => open(null);
  return (
    <>
      <IncomingBar />
      {isAtHome ? (
        <Home onOpen={open} search={search} onSearch={setSearch} />
      ) : (
        <Calls calls={calls} onSettings={() => open('settings')} />
      )}
      {panel === 'settings' && <Settings onClose={close} onAddDevice={() => open('device')} />}
      {panel === 'invite' && isAtHome && <Invite whom="somebody" onClose={close} />}
      {panel === 'device' && <Invite whom="me" onClose={() => open('settings')} />}
    </>
  );
}
