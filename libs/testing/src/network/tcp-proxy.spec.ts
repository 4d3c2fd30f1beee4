import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

async function said(socket: Socket, message: string): Promise<string> {
  socket.write(message);
  return String((await once(socket, 'data'))[0]);
}

describe('the TCP proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];

  beforeEach(async () => {
    echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>((resolve) => {
      echo.listen(0, '127.0.0.1', resolve);
    });
    proxy = await startTcpProxy({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const socket of clients.splice(0)) socket.destroy();
    await proxy.stop();
    await new Promise((resolve) => {
      echo.close(resolve);
    });
  });

  async function client(): Promise<Socket> {
    const socket = connect(proxy.port, proxy.host);
    clients.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  it('passes bytes on, whole, also when the client closes its side first', async () => {
    const socket = await client();
    const sent = 'x'.repeat(3_000_000);
    socket.end(sent);
    expect((await text(socket)) === sent).toBe(true);
    await expect.poll(() => proxy.connections).toBe(0);
    expect(proxy.accepted).toBe(1);
  });

  it('delays, and passes everything on', async () => {
    const socket = await client();
    proxy.spoil({ kind: 'delay', milliseconds: 100 });
    const started = performance.now();
    expect(await said(socket, 'late')).toBe('late');
    expect(performance.now() - started).toBeGreaterThan(95);
    await proxy.restore();
    expect(await said(socket, 'again')).toBe('again');
  });

  it('throttles, and passes everything on', async () => {
    const socket = await client();
    proxy.spoil({ kind: 'throttle', bytesPerSecond: 1_000 });
    const started = performance.now();
    socket.end('x'.repeat(100));
    expect(await text(socket)).toBe('x'.repeat(100));
    expect(performance.now() - started).toBeGreaterThan(90);
  });

  it('replaces what comes by garbage of the same length', async () => {
    const socket = await client();
    proxy.spoil({ kind: 'garbage' });
    socket.end('x'.repeat(1_000));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const seen = Buffer.concat(chunks);
    expect([seen.length, seen.equals(Buffer.alloc(1_000, 'x'))]).toEqual([1_000, false]);
  });

  it('cuts a message in the middle', async () => {
    const socket = await client();
    proxy.spoil({ kind: 'cutMidMessage' });
    let seen = '';
    socket.on('data', (chunk: Buffer) => (seen += String(chunk))).write('0123456789');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect([seen, error.code]).toEqual(['01234', 'ECONNRESET']);
    await expect.poll(() => proxy.connections).toBe(0);
  });

  it('holds back every byte in a black hole, of old and new connections, and delivers them afterwards', async () => {
    const old = await client();
    expect(await said(old, 'before')).toBe('before');
    proxy.blackHole();
    const young = await client();
    const answers: string[] = [];
    for (const socket of [old, young]) socket.on('data', (chunk: Buffer) => answers.push(String(chunk))).write('held');
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(answers).toEqual([]);
    expect(proxy.connections).toBe(2);
    await proxy.restore();
    await expect.poll(() => answers).toEqual(['held', 'held']);
  });

  it('loses every byte, of old and new connections, and carries nothing over them afterwards', async () => {
    const old = await client();
    expect(await said(old, 'before')).toBe('before');
    proxy.loseBytes();
    const young = await client();
    const answers: string[] = [];
    for (const socket of [old, young]) socket.on('data', (chunk: Buffer) => answers.push(String(chunk))).write('lost');
    await expect.poll(() => proxy.connections).toBe(2);
    await proxy.restore();
    for (const socket of [old, young]) socket.write('lost too');
    expect(await said(await client(), 'after')).toBe('after');
    expect(answers).toEqual([]);
    expect(proxy.connections).toBe(3);
  });

  it('resets what is open and accepts anew', async () => {
    const socket = await client();
    expect(await said(socket, 'before')).toBe('before');
    const failure = once(socket, 'error').catch((error: unknown) => [error]);
    proxy.cut();
    expect(await failure).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(await said(await client(), 'after')).toBe('after');
  });

  it('refuses new connections while the open ones go on, and listens on the same port again', async () => {
    const socket = await client();
    expect(await said(socket, 'before')).toBe('before');
    const { port } = proxy;
    proxy.refuse();
    await expect(client()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await said(socket, 'still')).toBe('still');
    await proxy.restore();
    expect(proxy.port).toBe(port);
    expect(await said(await client(), 'again')).toBe('again');
  });

  it('resets the client where the target is not there', async () => {
    const nowhere = await startTcpProxy({ host: '127.0.0.1', port: 1 });
    const socket = connect(nowhere.port, nowhere.host);
    const failure = await once(socket, 'error').catch((error: unknown) => [error]);
    expect(failure).toMatchObject([{ code: 'ECONNRESET' }]);
    await nowhere.stop();
  });
});
