#!/usr/bin/env node
/**
 * The command. Exit codes: 0 after SIGTERM, SIGINT or --help; 1 after a failure; 2 for a setting that cannot work.
 * People and programs read stdout, the log goes to stderr.
 */
import { pino } from 'pino';
import { ConfigError, help, readConfig } from './config.ts';
import { qrCode } from './lan.ts';
import { startRelay } from './server.ts';

/** Milliseconds after which a stop that hangs is cut short. */
const STOP_DEADLINE = 4_000;

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(help());
    return;
  }
  const config = readConfig(argv, process.env);
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  const fail = (error: unknown) => {
    log.fatal({ err: error }, 'unexpected failure');
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  const relay = await startRelay(config, log);
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(0), STOP_DEADLINE).unref();
    relay.close().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  process.stdout.write(`listening on ${relay.url}\n`);
  for (const url of relay.lanUrls) process.stdout.write(`on the network: ${url}\n`);
  const [first] = relay.lanUrls;
  if (first !== undefined) process.stdout.write(`${qrCode(first)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = error instanceof ConfigError;
  process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(known ? 2 : 1);
});
