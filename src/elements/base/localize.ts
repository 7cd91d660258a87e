/** Words by key, looked up when they are drawn, so that a change of language never misses any. */
import { en, type WordKey, type Words } from '../locales/en.ts';

const tables: Readonly<Record<string, Words>> = { en };

/** The language asked for: the nearest `lang` around the element, through shadow roots; else the browser's. */
function wantedLanguage(element: Element): string {
  for (let at: Element | null = element; at;) {
    const found: Element | null = at.closest('[lang]');
    if (found) return found.getAttribute('lang') ?? '';
    const root = at.getRootNode();
    at = root instanceof ShadowRoot ? root.host : null;
  }
  return navigator.language;
}

/** The language in which an element speaks: the one asked for where there is a table for it, else English. */
export function languageOf(element: Element): string {
  const [language = ''] = wantedLanguage(element).toLowerCase().split('-');
  return language in tables ? language : 'en';
}

export function translate(
  element: Element,
  key: WordKey,
  values: Record<string, string | number> = {},
): string {
  const text = (tables[languageOf(element)] ?? en)[key];
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
