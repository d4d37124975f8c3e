/* eslint-disable @typescript-eslint/no-unnecessary-boolean-literal-compare -- the example is kept as it is */
import { CallingState, useCalls } from '#ui/client';
import { MyIncomingCallUI, MyOutgoingCallUI } from '#ui/watching/surfaces';

/** The watching example that other calling SDKs document; here only its import is ours. */
export const MyCallUI = () => {
  const calls = useCalls();
  // handle incoming ring calls
  const incomingCalls = calls.filter(
    (call) => call.isCreatedByMe === false && call.state.callingState === CallingState.RINGING,
  );
  const [incomingCall] = incomingCalls;
  if (incomingCall) {
    return <MyIncomingCallUI call={incomingCall} />;
  }
  // handle outgoing ring calls
  const outgoingCalls = calls.filter(
    (call) => call.isCreatedByMe === true && call.state.callingState === CallingState.RINGING,
  );
  const [outgoingCall] = outgoingCalls;
  if (outgoingCall) {
    return <MyOutgoingCallUI call={outgoingCall} />;
  }
  return null;
};
