/** What a token says. */
export interface Claims {
  readonly sub: string;
  readonly username: string;
}

/** The name of a sign-in's body; the text of the refusal when there is none. */
export function signInName(body: string): { name: string } | { refusal: string } {
  let value: unknown;
  try {
    value = body.trim() === '' ? null : JSON.parse(body);
  } catch {
    return { refusal: 'Invalid request body' };
  }
  const given = (value as { username?: unknown } | null)?.username ?? '';
  if (typeof given !== 'string') return { refusal: 'Invalid request body' };
  const name = given.trim();
  if (Array.from(name).length > 32) return { refusal: 'Username too long (maximum is 32 characters)' };
  return { name: name || 'Guest' };
}
