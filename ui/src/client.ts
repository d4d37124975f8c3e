import { useSyncExternalStore } from 'react';

import { commands, events } from '#ui/bindings';
import type { AppState, CallId, CallView, CallingState as State, ClientState, UserId } from '#ui/bindings';
import { share } from '#ui/share';

/** Calling states by name, for code that compares them. */
export const CallingState = {
  IDLE: 'idle',
  RINGING: 'ringing',
  JOINING: 'joining',
  JOINED: 'joined',
  RECONNECTING: 'reconnecting',
  LEFT: 'left',
  ENDED: 'ended',
} as const satisfies Record<string, State>;

let current: AppState | null = null;
const listeners = new Set<() => void>();

/** Takes a state from Rust; an older one than what is shown is dropped. */
export function take(state: AppState): void {
  if (current !== null && state.revision <= current.revision) {
    return;
  }
  current = share(current, state);
  for (const listener of listeners) {
    listener();
  }
}

/** Follows the state. An event may be lost while the page is hidden, so the state is asked for when it is seen again. */
export function connect(): void {
  const ask = () => {
    void commands.appState().then(take);
  };
  void events.stateChanged.listen((event) => take(event.payload)).then(ask);
  document.addEventListener('visibilitychange', ask);
  window.addEventListener('focus', ask);
}

/** For tests: as if the page had just been opened. */
export function forget(): void {
  current = null;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A part of the whole state; the selector must return a part of it as it is, not something new. */
export function useApp<T>(select: (app: AppState | null) => T): T {
  return useSyncExternalStore(subscribe, () => select(current));
}

const NOBODY: ClientState['people'] = [];
const NO_CALLS: CallView[] = [];
const NO_HISTORY: ClientState['history'] = [];

/** A part of what the signed-in device knows; `undefined` before sign-in. */
export function useClient<T>(select: (client: ClientState) => T): T | undefined {
  return useApp((app) => (app?.stage.stage === 'ready' ? select(app.stage.client) : undefined));
}

/** Whether the server has said anything yet: before that, an empty list means nothing. */
export function useIsKnown(): boolean {
  return useClient((client) => client.connection.status === 'online' || client.serverName !== '') ?? false;
}

/** Every call this device knows: ringing, joined, or just over. */
export function useCalls(): CallView[] {
  return useClient((client) => client.calls) ?? NO_CALLS;
}

export function useCall(cid: CallId): CallView | undefined {
  return useClient((client) => client.calls.find((call) => call.cid === cid));
}

export function usePeople(): ClientState['people'] {
  return useClient((client) => client.people) ?? NOBODY;
}

/** Whether this person may ring others; a guest is rung. */
export function useMayCall(): boolean {
  return useClient((client) => client.me.role !== 'guest') ?? false;
}

const NO_ONE: UserId[] = [];

export function useFavourites(): UserId[] {
  return useClient((client) => client.favourites) ?? NO_ONE;
}

export function useHistory(): ClientState['history'] {
  return useClient((client) => client.history) ?? NO_HISTORY;
}

/** Names people by their ids. */
export function useNames(): (id: UserId) => string {
  const people = usePeople();
  const me = useClient((client) => client.me);
  return (id) => {
    const person = people.find((known) => known.id === id);
    return person?.name ?? (me?.id === id ? me.name : id);
  };
}
