import type { UserId } from '#ui/bindings';

/** The person behind a media identity, which is `user/device`. */
export function userOf(identity: string): UserId {
  return identity.split('/')[0] ?? identity;
}
