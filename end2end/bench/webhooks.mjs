// What Relink's ingest is measured against: Linear's own webhook handler, which verifies and stores nothing.
import http from 'node:http';
import { LinearWebhookClient } from '@linear/sdk/webhooks';

const [port, secret] = process.argv.slice(2);
const handler = new LinearWebhookClient(secret).createHandler();
handler.on('Issue', () => {});
http.createServer(handler).listen(Number(port), '127.0.0.1');
