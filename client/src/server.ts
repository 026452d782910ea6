/** The language server as the rest of the client sees it: typed requests with progress and cancelling. */
import { type CancellationToken, CancellationTokenSource, type Disposable, EventEmitter } from 'vscode';
import {
  type BaseLanguageClient,
  LSPErrorCodes,
  ResponseError,
  WorkDoneProgress,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from 'vscode-languageclient';
import type { Notifications, Requests } from '../../server/src/protocol';

/** Requests that the client makes; the server makes `readBytes`. */
type Asked = Exclude<keyof Requests, 'mlx-scope/readBytes'>;

/** How far a long request is. `fraction` is between 0 and 1, or null when it cannot be told. */
export interface Progress {
  message: string;
  fraction: number | null;
}

export interface RequestOptions {
  token?: CancellationToken;
  progress?: (progress: Progress) => void;
}

/** Thrown when the user has cancelled: nothing is to be shown. */
export class Cancelled extends Error {
  constructor() {
    super('Cancelled');
    this.name = 'Cancelled';
  }
}

export class Server implements Disposable {
  private readonly changed = new EventEmitter<void>();
  /** Fires after every start, so that views ask anew. */
  readonly onStarted = this.changed.event;
  private nextToken = 1;

  constructor(readonly client: BaseLanguageClient) {}

  async start(): Promise<void> {
    await this.client.start();
    this.changed.fire();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    if (this.client.needsStop()) await this.client.stop();
  }

  dispose(): void {
    this.changed.dispose();
  }

  /**
   * The server's answer.
   * @throws Cancelled when `token` was cancelled; Error with the server's message for the user otherwise.
   */
  async request<M extends Asked>(
    method: M,
    params: Requests[M][0],
    { token, progress }: RequestOptions = {},
  ): Promise<Requests[M][1]> {
    const workDoneToken = `mlx-scope-${this.nextToken++}`;
    const listener = progress && this.client.onProgress(WorkDoneProgress.type, workDoneToken, reporter(progress));
    const source = token ? null : new CancellationTokenSource();
    try {
      const given = progress ? { ...params, workDoneToken } : params;
      return await this.client.sendRequest<Requests[M][1]>(method, given, token ?? source!.token);
    } catch (error) {
      if (token?.isCancellationRequested) throw new Cancelled();
      if (error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled) throw new Cancelled();
      throw error;
    } finally {
      listener?.dispose();
      source?.dispose();
    }
  }

  notify<M extends keyof Notifications>(method: M, params: Notifications[M]): Promise<void> {
    return this.client.sendNotification(method, params);
  }

  onNotification<M extends keyof Notifications>(method: M, handler: (params: Notifications[M]) => void): Disposable {
    return this.client.onNotification(method, handler);
  }
}

type Report = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

/** Turns LSP's percentages, which are absent in reports that only change the message, into fractions. */
function reporter(progress: (progress: Progress) => void): (report: Report) => void {
  let fraction: number | null = null;
  return report => {
    if (report.kind === 'end') return;
    if (report.percentage !== undefined) fraction = Math.min(1, report.percentage / 100);
    const title = report.kind === 'begin' ? report.title : '';
    progress({ message: report.message ?? title, fraction });
  };
}
