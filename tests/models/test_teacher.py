"""The network that teaches reads a text as its publisher's does, and answers as the small one does."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytest.importorskip("onnx", reason="needs the extra `train`")

from models.training.network import HARMS, transformers  # noqa: E402
from models.training.teacher import Teacher  # noqa: E402


def test_it_reads_as_its_publisher_does_whatever_fills_up_the_row(tmp_path: Path) -> None:
    torch.manual_seed(20)
    theirs = transformers.MPNetModel(
        transformers.MPNetConfig(
            vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=40,
        )
    ).eval()  # fmt: skip
    theirs.save_pretrained(tmp_path)
    teacher = Teacher(tmp_path).eval()
    ids = torch.tensor([[0, 7, 9, 2, 2, 11, 2], [0, 7, 2, 2, 8, 1, 1]])
    mask = (ids != 1).long()
    mask[0, 6] = 1

    with torch.no_grad():
        complaint, feeling, urgent, harm = teacher(ids, mask)
        alone = teacher(ids[1:, :5], mask[1:, :5])
        read = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
        mean = (read * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        wanted = teacher.complaint(mean).squeeze(-1)

    assert complaint.numpy() == pytest.approx(wanted.numpy(), abs=1e-4)
    assert complaint[1].item() == pytest.approx(alone[0].item(), abs=1e-4)
    assert (feeling.shape, urgent.shape, harm.shape) == ((2, 3), (2,), (2, len(HARMS)))
