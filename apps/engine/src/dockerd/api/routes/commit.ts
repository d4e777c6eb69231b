/** `POST /commit`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Image/operation/ImageCommit */
import { EngineError } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import { answerJson, type Exchange } from '../exchange.ts';

export const commitContainer = async (backend: Backend, exchange: Exchange): Promise<void> => {
  const { query } = exchange;
  const container = query.text('container');
  if (container === '') throw new EngineError('invalid_argument', 'container must be specified');
  const id = await backend.commit(container, {
    repository: query.text('repo'),
    tag: query.text('tag'),
    comment: query.text('comment'),
    author: query.text('author'),
    isPaused: query.text('pause') === '' || query.flag('pause'),
    changes: query.all('changes'),
  });
  answerJson(exchange, 201, { Id: id });
};
