import { joinedCalls } from '#ui/call/on-screen';
import { useApp, useCalls } from '#ui/client';

/** What accepting ends, one call at a time; `null` when nothing. */
export function useLeaving(): string | null {
  const oneCall = useApp((app) => app?.oneCallAtATime ?? true);
  const calls = useCalls();
  if (!oneCall) {
    return null;
  }
  if (joinedCalls(calls).length > 0) {
    return 'Accepting leaves the call you are in';
  }
  const rings = calls.some((call) => call.direction === 'outgoing' && call.state.callingState === 'ringing');
  return rings ? 'Accepting gives up the call you are making' : null;
}
