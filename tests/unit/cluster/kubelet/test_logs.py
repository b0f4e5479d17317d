import pytest

from kubelet_story import Story
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.kubelet.logs import KEPT_LINES, LogLine, LogOptions

EVERYTHING = LogOptions()


def lines(story: Story, name: str, wanted: LogOptions = EVERYTHING) -> list[str]:
    reader = story.kubelets.logs.reader("default", name, wanted, story.now)
    return [line.text for line in reader.take(story.now)]


def refusal(story: Story, name: str, wanted: LogOptions = EVERYTHING) -> str:
    with pytest.raises(StatusError) as caught:
        lines(story, name, wanted)
    return str(caught.value.message)


def test_simulated_container_says_when_it_starts_runs_and_ends() -> None:
    story = Story()
    story.create("job", restartPolicy="Never", annotations={keys.RUN_SECONDS: "25"})
    story.run(60)
    assert lines(story, "job") == [
        "c0: docker.io/library/nginx:latest started (simulated)",
        "c0: still running, 10 s (simulated)",
        "c0: still running, 20 s (simulated)",
        "c0: ended with exit code 0 (simulated)",
    ]


def test_tail_gives_the_newest_lines_only() -> None:
    story = Story()
    story.create("web")
    story.run(4 + 2000)
    assert lines(story, "web", LogOptions(tail_lines=2)) == [
        "c0: still running, 1990 s (simulated)",
        "c0: still running, 2000 s (simulated)",
    ]
    assert lines(story, "web", LogOptions(tail_lines=0)) == []


def test_since_gives_lines_from_a_time_on() -> None:
    story = Story()
    story.create("web")
    story.run(4 + 35)
    assert len(lines(story, "web")) == 4
    assert len(lines(story, "web", LogOptions(since=story.now - 20))) == 2


def test_reader_follows_line_by_line_and_ends_with_the_container() -> None:
    story = Story()
    story.create("job", restartPolicy="Never", annotations={keys.RUN_SECONDS: "15"})
    story.run(4)
    reader = story.kubelets.logs.reader("default", "job", LogOptions(), story.now)
    assert len(reader.take(story.now)) == 1
    assert reader.take(story.now) == []
    assert reader.next_time(story.now) == story.now + 10
    story.run(10)
    assert len(reader.take(story.now)) == 1
    assert not reader.is_over()
    story.run(10)
    assert reader.is_over()


def test_log_of_a_container_that_runs_for_years_is_its_newest_lines() -> None:
    story = Story()
    story.create("web")
    story.run(4)
    story.now += 3 * 365 * 86_400
    found = lines(story, "web")
    assert len(found) == KEPT_LINES
    assert found[-1] == f"c0: still running, {3 * 365 * 86_400} s (simulated)"


def test_previous_container_has_its_own_log() -> None:
    story = Story()
    story.create("bad", annotations={keys.FAULT: "CrashLoop"})
    story.run(4)
    assert refusal(story, "bad", LogOptions(previous=True)) == (
        'previous terminated container "c0" in pod "bad" not found'
    )
    story.run(5)
    assert (
        lines(story, "bad", LogOptions(previous=True))[-1]
        == "c0: ended with exit code 1 (simulated)"
    )


def test_container_that_waits_has_no_log_yet() -> None:
    story = Story()
    story.create("web")
    assert refusal(story, "web") == (
        'container "c0" in pod "web" is waiting to start: ContainerCreating'
    )


def test_container_must_be_named_where_there_are_two() -> None:
    story = Story()
    story.create("web", containers=[{}, {}])
    story.run(10)
    assert refusal(story, "web") == (
        "a container name must be specified for pod web, choose one of: [c0 c1]"
    )
    assert (
        refusal(story, "web", LogOptions(container="x")) == "container x is not valid for pod web"
    )
    assert len(lines(story, "web", LogOptions(container="c1"))) == 1


def test_pod_that_is_not_there_is_not_found() -> None:
    assert refusal(Story(), "none") == 'pods "none" not found'


def test_real_lines_take_the_place_of_simulated_ones() -> None:
    story = Story()
    story.create("web")
    story.run(10)
    pod = story.find("web")
    assert pod is not None
    story.kubelets.logs.append(pod["metadata"]["uid"], "c0", "Bound default/a -> n1", story.now)
    story.run(60)
    assert lines(story, "web") == ["Bound default/a -> n1"]
    story.delete("web")
    story.run(5)
    assert lines_of_anything(story) == []


def lines_of_anything(story: Story) -> list[str]:
    story.create("web")
    story.run(4)
    return [text for text in lines(story, "web") if "simulated" not in text]


def test_line_is_written_with_its_time_on_demand() -> None:
    line = LogLine(1_800_000_000.25, "hello")
    assert line.render(timestamps=False) == b"hello\n"
    assert line.render(timestamps=True) == b"2027-01-15T08:00:00.250000Z hello\n"
