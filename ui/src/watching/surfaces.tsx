import type { CallView } from '#ui/bindings';
import { useNames } from '#ui/client';

/** The least an application shows for a call that rings here. */
export function MyIncomingCallUI({ call }: { call: CallView }) {
  const name = useNames();
  return <p role="alert">{name(call.caller ?? '')} is calling</p>;
}

/** The least an application shows for a call that rings elsewhere. */
export function MyOutgoingCallUI({ call }: { call: CallView }) {
  const name = useNames();
  return <p role="status">Calling {call.people.map(name).join(', ')}</p>;
}
