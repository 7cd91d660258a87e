/** What may befall anybody's page, whichever client it has. */
import type { Step } from './plan.ts';
import type { Stage } from './stage.ts';

interface Body {
  readonly page: string;
  frozen: boolean;
}

export function sockets(stage: Stage, { page }: Body) {
  return stage.world.platform(page).sockets.filter(({ readyState }) => readyState === 1);
}

export function loseSockets(stage: Stage, _step: Step, body: Body): boolean {
  const list = sockets(stage, body);
  for (const socket of list) socket.server?.terminate();
  return list.length > 0;
}

export function slowSignals(stage: Stage, step: Step, body: Body): boolean {
  const list = sockets(stage, body);
  const extra = step.ms / 8;
  for (const { cable } of list) cable.extra += extra;
  stage.until(step.ms * 2, () => list.forEach(({ cable }) => (cable.extra -= extra)));
  return list.length > 0;
}

/** @param thawed when the same page runs again */
export function freeze(stage: Stage, step: Step, body: Body, thawed?: () => void): boolean {
  const { page } = body;
  body.frozen = true;
  stage.world.freeze(page);
  stage.until(step.ms, () => {
    if (body.page !== page || !body.frozen) return;
    body.frozen = false;
    stage.world.thaw(page);
    thawed?.();
  });
  return true;
}
