import type { PropertyDeclarations, PropertyValues } from 'lit';
import type { CallLike } from '../../core/index.ts';
import type { RequestDetail, RequestName } from '../events.ts';
import { request } from '../request-map.ts';
import { CallController } from './call-controller.ts';
import { PmElement } from './pm-element.ts';

/** An element that shows or commands the call of a room: the one around it, or the one that `for` names. */
export abstract class PmPart extends PmElement {
  static override properties: PropertyDeclarations = { for: { reflect: true } };
  /** The id of a room that this element does not sit in, looked up in its own root, then in the document. */
  for: string | null = null;

  protected call: CallLike | null = null;
  private readonly link = new CallController(this, (call) => {
    if (call === this.call) return;
    this.call = call;
    this.bindCall(call);
  });

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('for') && this.hasUpdated) this.link.connect();
    super.willUpdate(changed);
  }

  /** Fires `pm-<name>-request`; unless a listener prevents it, carries it out in the same call stack. */
  protected request<K extends RequestName>(name: K, detail: RequestDetail<K>): Promise<unknown> {
    return request(this, this.link.room, this.call, name, detail);
  }
}
