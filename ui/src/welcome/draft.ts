/** How somebody comes in. */
export type Way = 'own' | 'invite' | 'ask';

/** What was typed survives a refusal, for which the screen goes and comes back. */
export const draft: { way: Way | null; name: string; link: string; server: string } = {
  way: null,
  name: '',
  link: '',
  server: '',
};
