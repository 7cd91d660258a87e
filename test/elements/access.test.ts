import { expect } from '@open-wc/testing';
import { drawn, joined, stage, type Stage } from '../support/room.ts';

/** Every screen that people meet, in both themes: nothing for axe to find. */
const SCREENS: Record<string, (theme: 'light' | 'dark') => Promise<Stage>> = {
  lobby: (theme) => stage({ theme }),
  'denied camera': async (theme) => {
    const there = await stage({ theme });
    there.call.dispatch({ type: 'problem', source: 'camera', code: 'permission-denied' });
    return there;
  },
  joining: async (theme) => {
    const there = await stage({ theme });
    there.call.hold = new Promise(() => undefined);
    void there.room.join();
    return there;
  },
  alone: (theme) => joined([], theme),
  'two people': (theme) => joined(['Maya Lindqvist'], theme),
  'four people': async (theme) => {
    const there = await joined(['Maya Lindqvist', 'Jonas Weber', 'Priya Raman'], theme);
    there.call.update('p1', { link: 'interrupted' });
    there.call.source('p2', 'mic', { state: 'silenced' });
    await there.room.toggleMic(false);
    return there;
  },
  reconnecting: async (theme) => {
    const there = await joined(['Maya Lindqvist'], theme);
    there.call.dispatch({ type: 'phase', phase: 'reconnecting' });
    return there;
  },
  'camera in use': async (theme) => {
    const there = await joined(['Maya Lindqvist'], theme);
    there.call.dispatch({ type: 'problem', source: 'camera', code: 'device-in-use' });
    return there;
  },
  left: async (theme) => {
    const there = await joined([], theme);
    await there.room.leave();
    return there;
  },
};

for (const theme of ['light', 'dark'] as const) {
  describe(`accessible, ${theme}`, () => {
    for (const [name, make] of Object.entries(SCREENS)) {
      it(name, async () => {
        const { room } = await make(theme);
        await drawn();
        await expect(room).to.be.accessible();
      });
    }
  });
}
