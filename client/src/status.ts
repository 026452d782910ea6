/** The one status item: what the server is doing for the document in front, and the config it is read with. */
import { type Disposable, LanguageStatusSeverity, languages, window } from 'vscode';
import { State } from 'vscode-languageclient';
import type { StatusParams } from '../../server/src/protocol';
import type { Server } from './server';

export function showStatus(server: Server): Disposable {
  const item = languages.createLanguageStatusItem('mlx-scope.status', [{ language: 'python' }]);
  item.name = 'MLX Scope';
  /** The last word on each document; the one in front decides what shows. */
  const byDocument = new Map<string, StatusParams>();
  let general: StatusParams = { state: 'busy', message: 'Starting', uri: null, milliseconds: null, config: null };

  const show = () => {
    const uri = window.activeTextEditor?.document.uri.toString();
    const status = (uri !== undefined && byDocument.get(uri)) || general;
    item.busy = status.state === 'busy';
    item.severity = status.state === 'error' ? LanguageStatusSeverity.Error : LanguageStatusSeverity.Information;
    item.text = `$(symbol-ruler) ${status.message}`;
    const time = status.milliseconds === null ? '' : `${Math.round(status.milliseconds)} ms`;
    item.detail = ['MLX Scope', status.config && `with ${status.config}`, time].filter(Boolean).join(' · ');
    item.command =
      status.state === 'error'
        ? { command: 'mlx-scope.showLog', title: 'Show log' }
        : { command: 'mlx-scope.chooseConfig', title: 'Choose config' };
  };
  const set = (status: StatusParams) => {
    if (status.uri === null) general = status;
    else byDocument.set(status.uri, status);
    show();
  };
  const say = (state: StatusParams['state'], message: string) => {
    byDocument.clear();
    set({ state, message, uri: null, milliseconds: null, config: null });
  };
  const subscriptions = [
    server.onNotification('mlx-scope/status', set),
    server.client.onDidChangeState(({ newState }) => {
      if (newState === State.Starting) say('busy', 'Starting');
      else if (newState === State.Running) say('ready', 'Ready');
      else if (newState === State.Stopped) say('error', 'The server has stopped');
    }),
    window.onDidChangeActiveTextEditor(show),
    item,
  ];
  show();
  return { dispose: () => subscriptions.forEach(one => void one.dispose()) };
}
