const SCHEME = 'bellbird://';

/** Whether what is typed is a code that was read aloud: it is not a link, nor the beginning of one. */
export function isSpoken(text: string): boolean {
  const typed = text.trim().toLowerCase();
  return typed !== '' && !typed.includes('://') && !SCHEME.startsWith(typed);
}
