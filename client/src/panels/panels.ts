/** The open panels: one for each task and subject, brought to the front when asked for again. */
import { type Disposable, EventEmitter, type ExtensionContext, type LogOutputChannel, Uri, workspace } from 'vscode';
import type { CommandArgument, Settings } from '../../../server/src/protocol';
import type { Server } from '../server';
import type { Subject, TaskName, Tasks, ToPage } from './messages';
import { TaskPanel } from './taskPanel';

export class Panels implements Disposable {
  private readonly open = new Map<string, TaskPanel<TaskName>>();
  private readonly ended = new EventEmitter<ToPage>();
  /** Fires when any panel's task has ended. */
  readonly onEnded = this.ended.event;

  constructor(
    private readonly context: ExtensionContext,
    private readonly server: Server,
    private readonly log: LogOutputChannel,
  ) {}

  dispose(): void {
    for (const panel of this.open.values()) panel.dispose();
    this.ended.dispose();
  }

  /** Runs a target and shows its output. */
  run({ uri, target }: CommandArgument): void {
    const { backend, seed } = workspace.getConfiguration('mlxScope').get<Settings['run']>('run')!;
    this.start('run', { uri, target, inputs: [], seed, config: null, backend });
  }

  /** Quantizes a target in every way and shows what each costs. */
  quantize({ uri, target }: CommandArgument): void {
    const { backend, seed } = workspace.getConfiguration('mlxScope').get<Settings['run']>('run')!;
    const all = { bits: [], groupSizes: [], modes: [], weights: null };
    this.start('quantize', { uri, target, ...all, seed, config: null, backend });
  }

  private start<T extends TaskName>(task: T, params: Tasks[T]['params']): void {
    const { uri, target } = params;
    const key = [task, uri, target.kind, target.name, target.range?.start.line ?? ''].join('\n');
    const known = this.open.get(key) as TaskPanel<T> | undefined;
    const panel = known ?? this.create(task, { uri, target, place: placeOf({ uri, target }) }, key);
    panel.reveal();
    void panel.start(params);
  }

  private create<T extends TaskName>(task: T, subject: Subject, key: string): TaskPanel<T> {
    const other = () => (task === 'run' ? this.quantize(subject) : this.run(subject));
    const panel = new TaskPanel(task, this.server, this.context.extensionUri, subject, other);
    panel.onDisposed(() => this.open.delete(key));
    panel.onEnded(message => {
      if (message.type === 'failed') this.log.warn(`${task} of ${subject.target.name}: ${message.message}`);
      this.ended.fire(message);
    });
    this.open.set(key, panel as unknown as TaskPanel<TaskName>);
    return panel;
  }
}

function placeOf({ uri, target }: CommandArgument): string {
  const file = workspace.asRelativePath(Uri.parse(uri));
  return target.range ? `${file}:${target.range.start.line + 1}` : file;
}
