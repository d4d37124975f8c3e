import type { AppState, CallView, CallingState, Direction } from '#ui/bindings';

/** A state as Rust sends it, for tests of the page. */
export function appWith(revision: number, calls: CallView[]): AppState {
  return {
    revision,
    stage: {
      stage: 'ready',
      client: {
        connection: { status: 'online' },
        serverName: 'Ann’s Bellbird',
        me: { id: 'ann', name: 'Ann', role: 'admin', presence: 'online', avatar: null },
        people: [{ id: 'ben', name: 'Ben', role: 'user', presence: 'online', avatar: null }],
        peopleTotal: 1,
        favourites: [],
        doNotDisturb: { is_on: false, until: null, hours: [] },
        isQuiet: false,
        calls,
        history: [],
        asks: [],
      },
    },
    frames: { url: 'ws://127.0.0.1:1/frames', secret: 's' },
    server: null,
    busyWhenInCall: false,
    oneCallAtATime: true,
    notice: null,
    problem: null,
    reminders: [],
    asked: [],
    endings: [],
    waiting: null,
    unread: null,
    nearby: [],
    secretPlace: 'keyring',
    version: '0.1.0',
  };
}

export function callThat(callingState: CallingState, direction: Direction, number = 1): CallView {
  return {
    cid: `default:${number}`,
    isCreatedByMe: direction === 'outgoing',
    direction,
    state: { callingState, reason: null, refusal: null },
    video: true,
    caller: direction === 'outgoing' ? 'ann' : 'ben',
    about: null,
    people: ['ben'],
    ownCapabilities: [],
    ring: { id: `r${number}`, endsAt: 0, targets: [] },
    goesOn: true,
    opening: { status: 'open' },
    joined: null,
  };
}
