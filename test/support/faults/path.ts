/** Which way a call's media takes, by the browser's own statistics. */
import type { Visitor } from '../e2e/visitor.ts';

/** Such as `srflx-prflx`, or `relay/tcp-host`: the near and the far end of the selected pair. */
export function selectedPath(visitor: Visitor): Promise<string> {
  return visitor.run(async () => {
    const pc = e2e.peerConnections.findLast((each) => each.connectionState === 'connected');
    if (!pc) return 'none';
    const reports = new Map<string, Record<string, unknown>>();
    (await pc.getStats()).forEach((report: Record<string, unknown>, id: string) => reports.set(id, report));
    const transport = [...reports.values()].find((each) => each['type'] === 'transport');
    const pair = reports.get(String(transport?.['selectedCandidatePairId']));
    const end = (key: string): string => {
      const candidate = reports.get(String(pair?.[key]));
      const kind = String(candidate?.['candidateType']);
      const protocol = candidate?.['relayProtocol'];
      return kind === 'relay' && typeof protocol === 'string' ? `relay/${protocol}` : kind;
    };
    return `${end('localCandidateId')}-${end('remoteCandidateId')}`;
  });
}
