import { AnswerText, PlainActionDto } from '../wire/answer-decorators.js';

export class ShowBlockPageDto extends PlainActionDto {
  @AnswerText() message: string;
}
