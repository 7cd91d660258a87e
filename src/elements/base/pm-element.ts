import { LitElement, type PropertyValues } from 'lit';
import type { CallLike, CallState } from '../../core/index.ts';
import type { WordKey } from '../locales/en.ts';
import { translate } from './localize.ts';
import { SelectController } from './select-controller.ts';

/** What all elements share: slices of the call's state, states for CSS, words, and focus that is never lost. */
export abstract class PmElement extends LitElement {
  private readonly selections: { bind(call: CallLike | null): void }[] = [];
  private readonly internals = this.attachInternals();
  private focused: Element | null | undefined = null;

  /** Redraws this element when the selected part of the call's state changes. */
  protected select<T>(
    selector: (state: CallState) => T,
    changed?: (value: T, before: T) => void,
  ): SelectController<T> {
    const selection = new SelectController(this, selector, changed);
    this.selections.push(selection);
    return selection;
  }

  protected bindCall(call: CallLike | null): void {
    for (const selection of this.selections) selection.bind(call);
    this.requestUpdate();
  }

  /** Says a fact as `:state(name)`. */
  protected mark(facts: Record<string, boolean>): void {
    for (const [name, so] of Object.entries(facts)) this.internals.states[so ? 'add' : 'delete'](name);
  }

  /** Names this element to assistive technology, without touching the attributes that a page may set. */
  protected describe(role: string, label: string): void {
    this.internals.role = role;
    this.internals.ariaLabel = label;
  }

  protected t(key: WordKey, value?: string | number): string {
    return translate(key, value);
  }

  /** The part of this element's own tree that a selector names, once it is drawn. */
  protected part$<T extends Element = HTMLElement>(selector: string): T | null {
    return this.shadowRoot?.querySelector<T>(selector) ?? null;
  }

  /** Where focus goes when the thing that had it is drawn no longer. */
  protected fallbackFocus(): HTMLElement | null {
    return null;
  }

  /** Changes are drawn together in a task of their own: what the relay or a peer says meanwhile is answered first. */
  protected override async scheduleUpdate(): Promise<void> {
    if (this.hasUpdated) await new Promise((resolve) => setTimeout(resolve));
    await super.scheduleUpdate();
  }

  protected override willUpdate(_changed: PropertyValues): void {
    this.focused = this.shadowRoot?.activeElement;
  }

  protected override updated(_changed: PropertyValues): void {
    if (this.focused && !this.focused.isConnected) this.fallbackFocus()?.focus();
    this.focused = null;
  }
}
